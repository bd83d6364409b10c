"""Overrides: short trainings, and every option of the objective on which the paper's presets leave off."""

SHORT = ["model=paper_digits", "trainer.precision=float32", "callbacks.checkpoint_every=100",
         "callbacks.scores_every=100", "callbacks.traversals_every=100", "callbacks.score_images=100"]  # fmt: skip

EMA = "model.ema_half_life=500"
AUGMENT = "{shift: 0.125, brightness: 0.25, contrast: 0.5, saturation: 1.0, cutout: 0.5}"
CHANGED = f"model.augment={{before_posterior: false, transforms: {AUGMENT}}}"
R1 = "+model.regularisers.smooth={kind: r1, weight: 2.0, every: 4}"
R2 = "+model.regularisers.smooth_fakes={kind: r2, weight: [[0, 0], [10, 2.0]], every: 2}"
RELATIVISTIC = ["model.adversarial=relativistic", EMA, CHANGED, R1, R2]
HINGE = ["model.adversarial=hinge", EMA, CHANGED.replace("false", "true"), R1, R2]
