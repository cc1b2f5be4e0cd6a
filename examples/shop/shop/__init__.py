"""Blue Kettle, a small shop: charges orders through a card gateway and writes the invoices."""
