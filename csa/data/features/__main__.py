"""Write the documentation of the features to standard output."""

import sys

from csa.data.features import documentation

if __name__ == "__main__":
    sys.stdout.write(documentation())
