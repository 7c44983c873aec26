// The sources this shared object was built from, in a file of its own: it is compiled anew after every change.
#include "stamp.hpp"

extern "C" __attribute__((visibility("default"))) const char* himalaya_mime_stamp() {
    return HIMALAYA_STAMP;
}
