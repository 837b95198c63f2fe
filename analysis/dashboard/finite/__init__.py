"""The page of finite markets: markets of growing size beside the mean field, as they are drawn."""
