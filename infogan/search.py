"""`python -m infogan.search data=<name>`: looks for λ and learning rates with Optuna. Started again, it goes on."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from omegaconf import DictConfig

from infogan.command import start, training
from infogan.errors import Collapsed, ConfigError, RunError, ends_as_one_line

if TYPE_CHECKING:
    from optuna import Study
    from optuna.samplers import BaseSampler

    from infogan.config.training import Config, SearchConfig, SearchedConfig

SHORT = {
    "lambda_categorical": "λ cat.",
    "lambda_continuous": "λ cont.",
    "learning_rate_generator": "rate of G",
    "learning_rate_discriminator": "rate of D",
}
"""What is searched, as the terminal says it."""


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="search")
def job(values: DictConfig) -> None:
    """Checks, then searches."""
    from infogan.config.check import check_section
    from infogan.config.training import SearchedConfig

    with ends_as_one_line():
        search(check_section(training(values), SearchedConfig))


def search(config: "SearchedConfig") -> None:
    """Trials until there are as many as asked for, one after another; first those that an earlier start left."""
    try:
        import optuna
    except ImportError:
        raise RunError("a search needs an extra of this package: pip install 'infogan-lab[sweeps]'") from None
    from optuna.distributions import FloatDistribution
    from optuna.trial import TrialState

    from infogan.run_folder.locks import held

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    settings, base = config.search, checked_base(config)
    folder = Path(settings.folder)
    ranges = settings.ranges.model_dump()
    distributions = {name: FloatDistribution(low, high, log=True) for name, (low, high) in ranges.items()}
    with lock_of(folder).open("w") as lock, held(lock, folder):
        study = study_of(folder, base, settings)
        for stopped in study.get_trials(states=(TrialState.RUNNING,)):
            run_trial(study, stopped.number, stopped.params, base, settings)
        while len(study.trials) < settings.trials:
            study.sampler = sampler(base.seed, len(study.trials))
            trial = study.ask(distributions)  # type: ignore[arg-type]
            run_trial(study, trial.number, trial.params, base, settings)
        write_results(study, folder, settings.objective)
    show(study, settings)


def checked_base(config: "SearchedConfig") -> "Config":
    """What the trials have in common, prepared. Raises ConfigError where the search cannot be made of it."""
    from infogan.codes.latents import Latents
    from infogan.config.check import check
    from infogan.experiments.build import build_data
    from infogan.experiments.prepare import prepared

    if config.run is not None:
        raise ConfigError(f"run={config.run}: a search makes its own runs")
    if config.trainer.devices > 1:
        raise ConfigError(f"trainer.devices={config.trainer.devices}: each trial of a search runs on one device")
    base = prepared(check(config.model_dump(exclude={"search"})))
    objective = config.search.objective
    if (
        objective != "information"
        and Latents.from_config(base.model).code_for_classes(build_data(base).classes) is None
    ):
        raise ConfigError(
            f"search.objective={objective}: needs labels, and a code with as many categories as data={base.data.name} "
            "has classes; search.objective=information needs none"
        )
    return base


def lock_of(folder: Path) -> Path:
    """The file by which one process holds the folder of a search, which is made. Raises RunError where it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"search.folder={folder} cannot be written: {error.strerror}") from error
    return folder / ".lock"


def study_of(folder: Path, base: "Config", settings: "SearchConfig") -> "Study":
    """Optuna's study on disk, made where there is none. Raises RunError where it is a search of something else."""
    import optuna

    from infogan.run_folder.paths import STUDY

    study = optuna.create_study(
        study_name="search",
        storage=f"sqlite:///{(folder / STUDY).absolute()}",
        direction="maximize",
        load_if_exists=True,
    )
    common = {
        "model": base.model.model_dump(exclude=set(SHORT)),
        "data": base.data.model_dump(),
        "seed": base.seed,
        "trainer.max_iterations": base.trainer.max_iterations,
        "search.objective": settings.objective,
    }
    for key, value in json.loads(json.dumps(common)).items():
        if study.user_attrs.setdefault(key, value) != value:
            raise RunError(f"search.folder={folder}: holds a search with another {key}; search.folder=<new> starts one")
        study.set_user_attr(key, value)
    return study


def sampler(seed: int, number: int) -> "BaseSampler":
    """Draws trial `number` as a function of the seed and of the trials before it, also when a search goes on."""
    import numpy as np
    from optuna.samplers import TPESampler

    return TPESampler(seed=int(np.random.SeedSequence([seed, number]).generate_state(1)[0]))


def run_trial(
    study: "Study", number: int, parameters: Mapping[str, float], base: "Config", settings: "SearchConfig"
) -> None:
    """Trains one trial, from where it was stopped if it was, and records what came of it; a failure ends no search."""
    from optuna.trial import TrialState

    print(f"trial {number}: " + ", ".join(f"{SHORT[name]} {value:.3g}" for name, value in parameters.items()))
    try:
        value = measured(number, parameters, base, settings)
    except Collapsed as error:
        print(f"trial {number} pruned: {error}")
        study.tell(number, state=TrialState.PRUNED)
    except Exception as error:  # whatever it is, the next trial may do better
        print(f"trial {number} failed: {str(error) or type(error).__name__}")
        study.tell(number, state=TrialState.FAIL)
    else:
        print(f"trial {number}: {settings.objective} {value:.3f}")
        study.tell(number, value)
    write_results(study, Path(settings.folder), settings.objective)


def measured(number: int, parameters: Mapping[str, float], base: "Config", settings: "SearchConfig") -> float:
    """The objective of a trial, trained unless it was before. Raises Collapsed, or RunError where it has no value."""
    from infogan.config.check import check
    from infogan.experiments.fit import train
    from infogan.experiments.prepare import find_or_create, is_finished

    if set(parameters) != set(SHORT):
        raise RunError("it was stopped before all its values were drawn")
    values = base.model_dump()
    config = check({**values, "model": {**values["model"], **parameters}})
    run = find_or_create(config, Path(settings.folder), trial_name(number))
    summary = json.loads((run / "summary.json").read_text()) if is_finished(run) else train(run)
    return objective_of(summary, settings.objective)


def objective_of(summary: Mapping[str, Any], objective: str) -> float:
    """A number of summary.json, or for `information` the sum over the codes. Raises RunError where it is not finite."""
    if objective == "information":
        bounds = summary["information"] | summary["information_at_mse"]
    else:
        bounds = {objective: summary[objective]}
    if None in bounds.values():
        raise RunError(f"{objective} is not finite")
    return sum(bounds.values())


def trial_name(number: int) -> str:
    """The name of a trial's run folder."""
    return f"trial_{number:03d}"


def write_results(study: "Study", folder: Path, objective: str) -> None:
    """search.csv, a row a trial, and the link to the best one."""
    import csv
    import io

    from infogan.run_folder.files import write_atomically
    from infogan.run_folder.paths import set_link

    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["trial", *SHORT, objective, "state"])
    for trial in study.trials:
        values = [trial.params.get(name) for name in SHORT]
        rows.writerow([trial_name(trial.number), *values, trial.value, trial.state.name.lower()])
    write_atomically(folder / "search.csv", lambda staged: staged.write_text(text.getvalue()))
    if any(trial.value is not None for trial in study.trials):
        set_link(folder / "best", folder / trial_name(study.best_trial.number))


def show(study: "Study", settings: "SearchConfig") -> None:
    """The trials on the terminal, the best first. Raises RunError where none came to its end."""
    from rich.console import Console
    from rich.table import Table

    table = Table("trial", *SHORT.values(), settings.objective, "state")
    done = [trial for trial in study.trials if trial.value is not None]
    done.sort(key=lambda trial: trial.value or 0, reverse=True)
    for trial in done + [trial for trial in study.trials if trial.value is None]:
        values = [f"{trial.params[name]:.3g}" if name in trial.params else "" for name in SHORT]
        value = "" if trial.value is None else f"{trial.value:.3f}"
        table.add_row(f"{trial.number:03d}", *values, value, trial.state.name.lower())
    Console().print(table)
    if not done:
        raise RunError(f"search.folder={settings.folder}: no trial came to its end; the log.txt of each says why")
    print(f"best: {settings.folder}/best   numbers: {settings.folder}/search.csv")


def main() -> None:
    start(job)


if __name__ == "__main__":
    main()
