"""Models of buyers without a contract ("buy till you die"): how often they buy, when they leave."""
