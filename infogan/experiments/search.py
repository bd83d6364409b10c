"""A search for λ and learning rates with Optuna: trials one after another, each a run folder; resumable."""

import csv
import io
import json
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from infogan.codes.latents import Latents
from infogan.config.check import check
from infogan.config.training import Config, SearchConfig, SearchedConfig
from infogan.config.versions import VERSION, Unreadable, up_to_date
from infogan.errors import Collapsed, ConfigError, RunError
from infogan.experiments.build import build_data
from infogan.experiments.fit import train
from infogan.experiments.machine import arithmetic
from infogan.experiments.prepare import expected, find_or_create, is_finished, prepared
from infogan.run_folder.amounts import allow
from infogan.run_folder.files import write_atomically
from infogan.run_folder.locks import held
from infogan.run_folder.paths import STUDY, set_link
from infogan.run_folder.summary import Summary, read_summary
from infogan.scoring.label_free import real_information
from infogan.trained.model import device_of, load_run

if TYPE_CHECKING:
    from optuna import Study
    from optuna.samplers import BaseSampler


SEARCHED = {
    "lambda_categorical": "λ cat.",
    "lambda_continuous": "λ cont.",
    "learning_rate_generator": "rate of G",
    "learning_rate_discriminator": "rate of D",
}
"""What is searched, as the terminal says it."""

OBJECTIVE = "search.objective"
"""Where the study keeps what it makes large."""

SUPERVISED = ("acc", "nmi", "ari")
"""Objectives that need labels."""


def search(config: SearchedConfig) -> "Study":
    """Runs trials until there are as many as asked for, one after another; first those that an earlier start left."""
    try:
        import optuna
    except ImportError:
        raise RunError("a search needs an extra of this package: pip install 'infogan-lab[sweeps]'") from None
    from optuna.distributions import FloatDistribution
    from optuna.trial import TrialState

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    base, settings = checked_base(config)
    folder = Path(settings.folder)
    left = max(settings.trials - len([*folder.glob("trial_*/config.yaml")]), 0)
    allow(f"search.trials={settings.trials}", amount := left * expected(base), folder, runs=left)
    print(f"search.trials={settings.trials}, {left} to begin: at most {amount}, in {folder}")
    ranges = settings.ranges.model_dump()
    distributions = {name: FloatDistribution(low, high, log=True) for name, (low, high) in ranges.items()}
    with lock_of(folder).open("w", encoding="utf-8") as lock, held(lock, folder):
        study = study_of(folder, base, settings)
        for stopped in study.get_trials(states=(TrialState.RUNNING,)):
            run_trial(study, stopped.number, stopped.params, base, settings)
        while len(study.trials) < settings.trials:
            study.sampler = sampler(base.seed, len(study.trials))
            trial = study.ask(distributions)  # type: ignore[arg-type]
            run_trial(study, trial.number, trial.params, base, settings)
        write_results(study, folder, settings.objective)
    return study


def checked_base(config: SearchedConfig) -> tuple[Config, SearchConfig]:
    """What the trials have in common, prepared, and the search with its objective decided. Raises ConfigError where the
    search cannot be made of it."""
    if config.run is not None:
        raise ConfigError(f"run={config.run}: a search makes its own runs")
    if config.trainer.devices > 1:
        raise ConfigError(f"trainer.devices={config.trainer.devices}: each trial of a search runs on one device")
    base = prepared(check(config.model_dump(exclude={"search"})))
    objective = config.search.objective
    latents = Latents.from_config(base.model)
    grouping = any(code.groups is not None for code in latents.codes)
    if objective == "auto":
        objective = "real_information" if grouping else "information"
    if objective == "real_information" and not grouping:
        raise ConfigError(f"{OBJECTIVE}={objective}: needs a categorical code; {OBJECTIVE}=information needs none")
    if objective in SUPERVISED and latents.code_for_classes(build_data(base).classes) is None:
        raise ConfigError(
            f"{OBJECTIVE}={objective}: needs labels, and a code with as many categories as data={base.data.name} has "
            f"classes; {OBJECTIVE}=information needs none"
        )
    return base, config.search.model_copy(update={"objective": objective})


def lock_of(folder: Path) -> Path:
    """The file by which one process holds the folder of a search, which is made. Raises RunError where it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"search.folder={folder} cannot be written: {error.strerror}") from error
    return folder / ".lock"


def study_of(folder: Path, base: Config, settings: SearchConfig) -> "Study":
    """Optuna's study on disk, made where there is none. Raises RunError where it is a search of something else."""
    import optuna

    study = optuna.create_study(
        study_name="search",
        storage=f"sqlite:///{(folder / STUDY).absolute()}",
        direction="maximize",
        load_if_exists=True,
    )
    common = {
        "model": base.model.model_dump(exclude=set(SEARCHED)),
        "data": base.data.model_dump(),
        "seed": base.seed,
        "trainer.max_iterations": base.trainer.max_iterations,
        OBJECTIVE: settings.objective,
    }
    try:
        known = up_to_date(dict(study.user_attrs))
    except Unreadable as error:
        raise RunError(f"{folder / STUDY} {error}") from None
    for key, value in json.loads(json.dumps(common)).items():
        if known.get(key, value) != value:
            raise RunError(f"search.folder={folder}: holds a search with another {key}; search.folder=<new> starts one")
        study.set_user_attr(key, value)
    study.set_user_attr("version", VERSION)
    return study


def sampler(seed: int, number: int) -> "BaseSampler":
    """Draws trial `number` as a function of the seed and of the trials before it, also when a search continues."""
    import numpy as np
    from optuna.samplers import TPESampler

    return TPESampler(seed=int(np.random.SeedSequence([seed, number]).generate_state(1)[0]))


def run_trial(
    study: "Study", number: int, parameters: Mapping[str, float], base: Config, settings: SearchConfig
) -> None:
    """Trains one trial, from where it was stopped if it was, and records what came of it; a failure ends no search."""
    from optuna.trial import TrialState

    print(f"trial {number}: " + ", ".join(f"{SEARCHED[name]} {value:.3g}" for name, value in parameters.items()))
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


def measured(number: int, parameters: Mapping[str, float], base: Config, settings: SearchConfig) -> float:
    """The objective of a trial, trained unless it was before. Raises Collapsed, or RunError where it has no value."""
    if set(parameters) != set(SEARCHED):
        raise RunError("it was stopped before all its values were drawn")
    values = base.model_dump()
    config = check({**values, "model": {**values["model"], **parameters}})
    run = find_or_create(config, Path(settings.folder), trial_name(number))
    summary = read_summary(run) if is_finished(run) else train(run)
    assert summary is not None
    if settings.objective == "real_information":
        return on_real_images(run, config)
    return objective_of(summary, settings.objective)


def on_real_images(run: Path, config: Config) -> float:
    """`real_information` of a finished run, in the mean over its codes. Raises RunError where it is not finite."""
    data = build_data(config)
    data.prepare_data()
    with arithmetic(config.trainer):
        trained = load_run(run, device=device_of(config.trainer.accelerator))
        value = fmean(real_information(trained, data, seed=0).values())
    if not isfinite(value):
        raise RunError("real_information is not finite")
    return value


def objective_of(summary: Summary, objective: str) -> float:
    """A score of the summary, or for `information` the sum over the codes. Raises RunError where it is not finite."""
    if objective == "information":
        values = [*summary.refitted_information.values()]
    else:
        values = [summary.clustering.get(objective)]
    finite = [value for value in values if value is not None]
    if len(finite) < len(values):
        raise RunError(f"{objective} is not finite")
    return sum(finite)


def trial_name(number: int) -> str:
    """The name of a trial's run folder."""
    return f"trial_{number:03d}"


def write_results(study: "Study", folder: Path, objective: str) -> None:
    """search.csv, a row a trial, and the link to the best one."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["trial", *SEARCHED, objective, "state"])
    for trial in study.trials:
        values = [trial.params.get(name) for name in SEARCHED]
        rows.writerow([trial_name(trial.number), *values, trial.value, trial.state.name.lower()])
    write_atomically(folder / "search.csv", lambda staged: staged.write_text(text.getvalue(), encoding="utf-8"))
    if any(trial.value is not None for trial in study.trials):
        set_link(folder / "best", folder / trial_name(study.best_trial.number))
