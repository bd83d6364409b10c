"""The configuration of every command, as Hydra groups. Packaged as `infogan.conf`, so that it works from any folder."""
