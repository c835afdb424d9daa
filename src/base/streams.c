// Standard descriptors that a parent has left closed. Main thread, before anything else.
#include "base/streams.h"

#include <fcntl.h>
#include <unistd.h>

PsErr ps_streams_fill(void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        // The lowest free number is the one that is closed: those below it are open by now.
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) {
            return PS_ERR_IO;
        }
    }
    return PS_OK;
}
