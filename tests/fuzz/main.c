/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#ifdef FUZZ_LIBFUZZER

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_one(str_of(size == 0 ? "" : (const char *)bytes, size));
    return 0;
}

#else

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    size_t size = 0;
    size_t len = 0;
    char *bytes = NULL;

    if (f == NULL)
        return 1;
    for (;;) {
        if (len == size) {
            size = size == 0 ? 65536 : size * 2;
            bytes = realloc(bytes, size);
            if (bytes == NULL)
                abort();
        }
        size_t got = fread(bytes + len, 1, size - len, f);
        if (got == 0)
            break;
        len += got;
    }
    fclose(f);
    /* exactly as big as the input, so that sanitizers see an overrun */
    char *exact = malloc(len == 0 ? 1 : len);
    if (exact == NULL)
        abort();
    memcpy(exact, bytes, len);
    fuzz_one(str_of(exact, len));
    free(exact);
    free(bytes);
    return 0;
}

int main(int argc, char **argv)
{
    int count = 0;

    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        struct dirent *entry = NULL;
        if (dir == NULL) {
            count += replay_file(argv[i]) == 0;
            continue;
        }
        while ((entry = readdir(dir)) != NULL) {
            char path[4096];
            if (entry->d_name[0] == '.')
                continue;
            snprintf(path, sizeof(path), "%s/%s", argv[i], entry->d_name);
            count += replay_file(path) == 0;
        }
        closedir(dir);
    }
    printf("%d inputs replayed\n", count);
    return count > 0 ? 0 : 1;
}

#endif
