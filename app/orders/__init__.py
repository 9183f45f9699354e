"""Orders (免申即享): a platform posts what an organisation is going to buy, and the voucher is issued unasked."""
