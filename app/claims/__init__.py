"""Claims (兑现): a voucher is to be used for a trade; presented to the contract once the evidence is anchored."""
