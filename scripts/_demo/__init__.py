"""The whole voucher story on one machine; `python -m scripts._demo`."""
