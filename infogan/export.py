"""`python -m infogan.export`: a trained model as a folder for others, with its model card."""

from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig

from infogan.command import opened, start

if TYPE_CHECKING:
    from pathlib import Path

    from infogan.trained.model import Trained


@hydra.main(version_base="1.3", config_path="pkg://infogan.conf", config_name="export")
def job(values: DictConfig) -> None:
    """Opens the run and exports it, all or nothing."""
    from pathlib import Path

    from infogan.config.opening import ExportConfig
    from infogan.experiments.build import build_data
    from infogan.run_folder.paths import open_run
    from infogan.trained.model import load_whole

    with opened(values, ExportConfig) as config:
        run = open_run(config.run, Path(config.paths.outputs), print)
        trained = load_whole(run, "cpu", print)
        assert config.to is not None
        export(trained, build_data(trained.config).licence, Path(config.to).expanduser())


def export(trained: "Trained", licence: str, place: "Path") -> None:
    """Makes the folder `place`; `licence` is that of the training images. Raises RunError where it exists, or where
    what ONNX computes is not what PyTorch does."""
    from infogan.pages.card import write_card
    from infogan.run_folder.amounts import allow
    from infogan.run_folder.files import whole_folder
    from infogan.trained.exported_files import expected, write_model
    from infogan.trained.onnx_export import check_packages, write_onnx

    check_packages()
    allow(f"to={place}", amount := expected(trained), place)
    print(f"to={place}: at most {amount}")
    with whole_folder(place) as staged:
        write_model(trained, staged)
        differences = write_onnx(trained, staged)
        missing = write_card(staged, trained, licence)
        files = sorted(path.name for path in staged.iterdir())
    print(f"{trained.folder}, {trained.iteration:,} iterations")
    print("".join(f"{file} differs from PyTorch by {most:.1e} at most\n" for file, most in differences.items()), end="")
    for gap in missing:
        print(f"missing in the model card: {gap.text} {gap.command}".strip())
    print(f"exported: {place}   {', '.join(files)}")
    print(f'open it: infogan.load("{place}")')


def main() -> None:
    start(job)


if __name__ == "__main__":
    main()
