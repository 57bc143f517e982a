/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LoaderRest: lkmd-loader stays as long as lkmd does, and mostly has nothing to do. What its threads allocated goes
 * back to the kernel, and so does the mapping of program and C library: what the loop needs of them is mapped again
 * when it is used, from the page cache, and what only the start and the last request needed is not. Owns nothing.
 */

#include "daemon/privileged/loader/loader-rest.h"

#include <link.h>
#ifdef __GLIBC__
# include <malloc.h>
#endif
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Segments that cannot be written are as they are in the file, so nothing is lost. */
static int drop_segments(struct dl_phdr_info *object, size_t size, void *userdata) {
        const uintptr_t page = *(const uintptr_t *) userdata;

        for (size_t i = 0; i < object->dlpi_phnum; i++) {
                const ElfW(Phdr) *segment = object->dlpi_phdr + i;
                uintptr_t begin = object->dlpi_addr + segment->p_vaddr, end = begin + segment->p_filesz;

                if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W))
                        continue;
                begin -= begin % page;
                (void) madvise((void *) begin, end - begin, MADV_DONTNEED);
        }
        return 0;
}

/*
 * To be called by the main thread while no other has anything to do. The sanitizers have large libraries, which every
 * access to memory needs: there it does nothing.
 */
void loader_rest(void) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        uintptr_t page = (uintptr_t) sysconf(_SC_PAGESIZE);

# ifdef __GLIBC__
        (void) malloc_trim(0);
# endif
        (void) dl_iterate_phdr(drop_segments, &page);
#else
        (void) drop_segments;
#endif
}
