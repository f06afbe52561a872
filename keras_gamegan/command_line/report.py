"""`kgg report`."""

import pathlib

from keras_gamegan.command_line import options, report_page, run_folder


def run(arguments: list[str]) -> None:
    """Writes one page that compares runs.

    Args:
        arguments: Those after `kgg report`.
    """
    given = options.Options(
        "kgg report RUN... [flags]",
        "Writes one page with the runs in the folders RUN side by side: settings, "
        "curves, measures and samples. It needs no other file and no network.",
        ("RUN", "RUN..."),
    )
    flags = given.group("flags")
    flags.text("output", None, "The page; default: report.html in the first RUN.")
    paths = given.parse(arguments)
    if given.output and pathlib.Path(given.output).is_dir():
        raise options.UsageError(
            f"--output must be a file. Received: --output={given.output}, a folder. "
            "Name the page in it: --output="
            f"{pathlib.Path(given.output) / 'report.html'}."
        )
    runs = [report_page.read(run_folder.RunFolder(path)) for path in paths]
    output = pathlib.Path(given.output or pathlib.Path(paths[0]) / "report.html")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(report_page.render(runs), encoding="utf-8")
    print(report_page.verdict(runs))
    print(f"Wrote {output}")
