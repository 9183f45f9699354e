"""The long campaigns over the contracts, one file each; `./scripts/check --long` runs them.

A campaign is a module with a function `campaign(options) -> Result`. Its tools come from .venv-long and
contracts/node_modules, and it works on a copy of contracts/ and tests/contracts/ in a temporary folder, so that the
checkout stays as it is.
"""
