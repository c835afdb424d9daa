// From the outbox to the link. Keeps nothing itself. Main thread; never blocks.
#include "daemon/delivery.h"

#include "base/log.h"

void ps_delivery_pump(PsOutbox *outbox, PsLink *link) {
    while (ps_link_room(link) > 0) {
        const PsOutboxRow *row = ps_outbox_next(outbox);
        if (row == NULL) {
            return;
        }
        PsErr err = ps_link_publish(link, row->id, row->topic, row->payload, row->len, row->qos);
        if (err != PS_OK) {
            // Room and topic were checked before, so this is the moment a connection ends.
            PS_LOGD("DELIVERY-BACK", "message %llu waits again: %s", (unsigned long long)row->id,
                    ps_err_name(err));
            ps_outbox_put_back(outbox, row->id);
            return;
        }
    }
}
