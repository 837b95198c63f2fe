"""Who is allotted the residual, who pays for a shift of load, and by which rate a class pays its allocated cost."""
