"""The numbers of papers that a run of this project can stand beside."""

from dataclasses import dataclass

from infogan.config.training import Config


@dataclass(frozen=True)
class Published:
    """Where they were published, and how they were measured. `numbers`: the score, its value as it is printed, and what
    stands beside it: a path in evaluation.json, or the `error` or `information` of the code that is scored."""

    source: str
    protocol: str
    numbers: tuple[tuple[str, str, str], ...]


PUBLISHED = {
    "mnist": Published(
        "Chen et al. 2016, InfoGAN, figure 1 and section 7.2",
        "a run that its authors selected; its error matches each category to one digit, on which images is not said",
        (
            ("error of the categorical code (%)", "5", "error"),
            ("L_I of the categorical code (nats, of 2.303)", "about 2.30", "information"),
        ),
    ),
    "dsprites": Published(
        "Lin et al. 2020, InfoGAN-CR and ModelCentrality, table 1, “modified” InfoGAN",
        "InfoGAN-CR's own protocol on all of dSprites, five codes (here: experiment=dsprites_infogan); FactorVAE, "
        "β-VAE and SAP of this run are scored by it too, which cannot be compared with disentanglement_lib's",
        (
            ("FactorVAE", "0.82", "disentanglement/infogan_cr/factor_vae"),
            ("β-VAE", "0.87", "disentanglement/infogan_cr/beta_vae"),
            ("SAP", "0.41", "disentanglement/infogan_cr/sap"),
            ("modularity", "0.94", "disentanglement/dlib/modularity"),
            ("MIG", "0.22", "disentanglement/dlib/mig"),
        ),
    ),
}
"""By the name of the data set."""


def published_for(config: Config) -> Published | None:
    """Those for the data set of a run; None where there are none, and for a plain GAN, which no code is asked of."""
    asked = any(weight > 0 for weight in config.model.lambdas.values())
    return PUBLISHED.get(config.data.name) if asked else None
