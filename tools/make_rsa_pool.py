#!/usr/bin/python3
"""Makes sim/world/rsa_pool.inc: RSA-2048 private keys for simulated users.

RSA key generation costs 250 ms and draws from OpenSSL's RAND, so simulations take their keys from
this pool. They are test keys, public in this repository: never use them for anything else.

usage: make_rsa_pool.py [COUNT] > sim/world/rsa_pool.inc
"""
import base64
import sys

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    print("// Made by tools/make_rsa_pool.py: TEST KEYS, base64url of PKCS#8 DER.")
    for _ in range(count):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        text = base64.urlsafe_b64encode(der).decode().rstrip("=")
        for at in range(0, len(text), 90):
            print(f'"{text[at:at + 90]}"')
        print(",")
    return 0


if __name__ == "__main__":
    sys.exit(main())
