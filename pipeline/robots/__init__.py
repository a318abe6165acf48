"""What a site asks of machines: robots.txt, TDMRep, and rights reserved. Pure: the files are fetched elsewhere."""
