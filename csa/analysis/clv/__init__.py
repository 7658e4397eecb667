"""What a customer is worth, with and without a contract."""
