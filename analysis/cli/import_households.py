"""``meanwatt import households``: meter files of many homes as a scenario, with checks of how they were read."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from meanwatt.analysis.cli.options import one_of

if TYPE_CHECKING:
    from meanwatt.model.households.made_scenario import MadeScenario
    from meanwatt.model.households.survey import Survey

LABELS: Final = ("start", "end")


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdOptions:
    """Options of ``import households`` beside the files and ``--to``, as they are given."""

    format: str | None = None
    label: str | None = None
    zone: str | None = None
    homes: str | None = None
    base: str | None = None
    readings: str | None = None
    out: str | None = None

    def given(self) -> list[str]:
        """Names of the options that are given."""
        return [f"--{name}" for name in self.__slots__ if getattr(self, name) is not None]


def import_households(files: Sequence[str], to: str, options: HouseholdOptions, *, json: bool) -> int:
    """Read the files once, check them, and write a scenario; return the exit status."""
    from meanwatt.analysis.cli.watching import watched
    from meanwatt.analysis.output.result_files import require_free, require_free_file, staged_file
    from meanwatt.model.billing.meter_format import MeterFileError
    from meanwatt.model.households.layouts import read_layout, without_label
    from meanwatt.model.households.readings_writer import ReadingsWriter
    from meanwatt.model.households.scenario_table import make_scenario
    from meanwatt.model.households.scenario_text import scenario_text
    from meanwatt.model.households.survey import survey_households
    from meanwatt.model.progress.watch import Cancelled

    target = Path(to)
    if target.suffix.lower() != ".toml":
        raise ValueError(f"--to is {to!r}; give a file name that ends in .toml, for a scenario")
    require_free_file("--to", target)
    if options.readings is not None:
        if Path(options.readings).suffix.lower() != ".parquet":
            raise ValueError(f"--readings is {options.readings!r}; give a file name that ends in .parquet")
        require_free_file("--readings", options.readings)
    if options.out is not None:
        require_free(options.out, "households")
    if options.format is None:
        raise ValueError("--format is missing; give london, ausgrid, pecan, resstock, cer or a file that ends in .toml")
    if options.label is not None:
        one_of("--label", options.label, LABELS)
    layout = read_layout(options.format, label=options.label, zone=options.zone).format
    assert layout is not None
    if options.label is not None and without_label(layout):
        raise ValueError(f"--label: intervals of {options.format} stand in the order of the day; leave it out")
    base = options.base or "textbook"
    with ExitStack() as stack:
        work = stack.enter_context(watched(quiet=json))
        writer = None
        if options.readings is not None:
            staged = stack.enter_context(staged_file(options.readings))
            writer = stack.enter_context(ReadingsWriter(staged))
        try:
            survey = survey_households(
                [Path(file) for file in files],
                layout,
                homes_file=None if options.homes is None else Path(options.homes),
                writer=writer,
                told=work.show,
                check=work.watch.check,
            )
        except Cancelled:
            raise MeterFileError("stopped before the end of the files; nothing is written") from None
        begin = None if writer is None else writer.say_format(survey.form, survey.homes)
        source = ", ".join(Path(file).name for file in files[:3]) + (", …" if len(files) > 3 else "")
        made = make_scenario(survey, name=_name(target), title=f"Homes of {source}", base=base)
        text = scenario_text(made, base=base, source=source)
        with staged_file(target) as stage:
            stage.write_text(text, encoding="utf-8")
            _require_scenario(stage)
            result = _result(survey, made, target, files, options, base, begin)
            if options.out is not None:
                _write(options.out, result, survey, files)
    from meanwatt.analysis.cli.households_page import say_households
    from meanwatt.analysis.cli.show import print_json, say_report

    if json:
        print_json(result)
    else:
        say_households(result)
        say_report(options.out)
    return 0


def _name(target: Path) -> str:
    import re

    return re.sub(r"[^\w.-]+", "_", target.stem, flags=re.ASCII) or "homes"


def _require_scenario(path: Path) -> None:
    """Read what was written, as every other command will."""
    from meanwatt.model.scenario.loading import load_scenario

    load_scenario(path)


def _result(
    survey: "Survey",
    made: "MadeScenario",
    target: Path,
    files: Sequence[str],
    options: HouseholdOptions,
    base: str,
    begin: str | None,
) -> dict[str, Any]:
    from meanwatt.analysis.households.summary import households_json
    from meanwatt.model.households.checks import run_checks
    from meanwatt.model.scenario.counted import counted
    from meanwatt.model.scenario.messages import joined

    checks = run_checks(survey)
    wrong = [check.name.replace("_", " ") for check in checks if check.status == "wrong"]
    homes = counted(len(survey.homes.names), "home")
    verdict = f"the file contradicts the format: {', '.join(wrong)}" if wrong else "no check contradicts the format"
    said = [f"Check {one.name}: {one.seen} {one.mend}".strip() for one in checks if one.status == "wrong"]
    said += [f"Key {key} of the format has no column in the file; it is left out." for key in survey.missing]
    if options.format == "london" and options.label is None:
        said.append(
            "Sources differ on whether stamps of this layout name the end or the start: the end is taken; --label."
        )
    if options.format == "resstock" and options.zone is None:
        said.append(
            f"The files do not say where the homes are: {survey.form.zone} is taken; --zone says another place."
        )
    if options.readings is not None and begin is None:
        said.append("No home has twelve whole months of readings: impacts cannot bill them.")
    return {
        "file": str(target),
        "message": f"a scenario of {homes}; {verdict}",
        **households_json(survey, checks, made),
        "begin": begin,
        "messages": joined(said, survey.intake.messages(), made.messages),
        "settings": {
            "kind": "households",
            "files": list(files),
            "to": str(target),
            "base": base,
            **{name: getattr(options, name) for name in ("format", "label", "zone", "homes", "readings")},
        },
    }


def _write(out: str, result: dict[str, Any], survey: "Survey", files: Sequence[str]) -> None:
    from meanwatt.analysis.cli.households_page import households_report
    from meanwatt.analysis.households.summary import household_tables
    from meanwatt.analysis.output.result_files import write_result
    from meanwatt.analysis.report.page import FILE

    manifest = {
        "files": [Path(file).name for file in files],
        "settings": result["settings"],
        "format": survey.form.model_dump(mode="json"),
    }
    write_result(
        out,
        name="households",
        result=result,
        manifest=manifest,
        tables=household_tables(survey),
        texts={FILE: households_report(result, manifest, survey)},
    )
