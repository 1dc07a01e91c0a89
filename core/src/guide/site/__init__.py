"""The guide as a web site to read offline: pages for some tracks, built by zensical."""
