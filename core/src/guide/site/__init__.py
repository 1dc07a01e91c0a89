"""The guide as a web site: pages assembled for some tracks, built by zensical, for reading offline."""
