"""The only room that knows tf.distribute."""
