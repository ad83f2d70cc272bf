"""Handing models over: exports, verified before they are given."""
