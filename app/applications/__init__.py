"""Applications (申领): an organisation asks for a voucher, reviewers sign, the voucher is issued."""
