// Things of this program's own making enter the account. Main thread; blocks for the database.
#include "localcloud/adopt.h"

#include "base/buf.h"
#include "base/file.h"

#define PEM_LIMIT ((size_t)64 * 1024)

PsErr ps_adopt(PsRegistry *registry, const char *thing, const char *certificate_path,
               PsDiag *diag) {
    PS_AUTO_BUF PsBuf pem = {0};
    PsErr err = ps_file_read(certificate_path, PEM_LIMIT, &pem, diag);
    if (err != PS_OK) {
        return err;
    }
    PsApiFault fault = {0};
    PsApiCode code = ps_registry_adopt(registry, thing, (const char *)pem.data, &fault);
    return code == PS_API_OK ? PS_OK
                             : ps_fail(PS_ERR_IO, diag, certificate_path, NULL,
                                       "cannot enter the account: %s", fault.message);
}
