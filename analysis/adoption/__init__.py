"""Who adopts solar and storage next year: shares, the tariff that they bring about, and the bills that move them."""
