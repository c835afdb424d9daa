// One digest of all files a connection needs. Link thread; blocks on the disk.
#include "link/files.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

static void add_file(EVP_MD_CTX *digest, const char *path) {
    uint8_t bytes[4096];
    uint64_t total = 0;
    PS_AUTO_FD int fd = path[0] != '\0' ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t len = 0;
    while (fd >= 0 && (len = read(fd, bytes, sizeof bytes)) > 0) {
        (void)EVP_DigestUpdate(digest, bytes, (size_t)len);
        total += (uint64_t)len;
    }
    OPENSSL_cleanse(bytes, sizeof bytes);                 // one of them is a key
    (void)EVP_DigestUpdate(digest, &total, sizeof total); // where one ends and the next begins
}

void ps_link_files_print(const PsCloud *cloud, uint8_t ret_print[PS_LINK_PRINT_SIZE]) {
    memset(ret_print, 0, PS_LINK_PRINT_SIZE);
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    if (digest != NULL && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1) {
        const char *const paths[] = {cloud->cert, cloud->key, cloud->root_ca, cloud->password_file};
        for (size_t i = 0; i < PS_COUNT(paths); i++) {
            add_file(digest, paths[i]);
        }
        (void)EVP_DigestFinal_ex(digest, ret_print, NULL);
    }
    EVP_MD_CTX_free(digest);
}
