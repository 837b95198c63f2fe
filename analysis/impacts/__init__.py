"""What customers gain and lose when one tariff takes another's place."""
