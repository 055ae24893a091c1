"""slurm_plugin's `slurm_resume`, with its log in $PEER_LOG instead of /var/log/parallelcluster."""

import logging
import os
import sys

_basic_config = logging.basicConfig
logging.basicConfig = lambda **options: _basic_config(**{**options, "filename": os.environ["PEER_LOG"]})

from slurm_plugin.resume import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
