"""A second implementation of AMS, written from reference/spec alone, on Debian's
python3-cryptography. It judges the vectors and the reference; it shares no code with either."""
