"""Components of a tariff beside its rates: charges that do not depend on use, a module each."""
