# shellcheck shell=sh
# A driver lays its own file over this one.
