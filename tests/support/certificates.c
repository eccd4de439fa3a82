// SPDX-License-Identifier: MIT
//
// certificates — keeps Criterion from reading every certificate of the system.
//
// Criterion shows differences with libgit2, which it starts in the process of
// each test; where libgit2 uses mbedTLS, it then parses all of /etc/ssl/certs.
// That takes a third of what a small test takes. No test needs one.

int mbedtls_x509_crt_parse_path(void *chain, const char *path);
int mbedtls_x509_crt_parse_file(void *chain, const char *path);

int mbedtls_x509_crt_parse_path(void *chain, const char *path)
{
    (void)chain;
    (void)path;
    return 0;
}

int mbedtls_x509_crt_parse_file(void *chain, const char *path)
{
    (void)chain;
    (void)path;
    return 0;
}
