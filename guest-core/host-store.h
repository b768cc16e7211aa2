/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the compressed store may use of its host besides host.h; see kmod/host-store.h
 * for the contracts.
 *
 *   compression  HOST_COMPRESS_WORK, host_compress(), host_decompress()
 *   objects      struct store_alloc: store_alloc_create(), _destroy(), _get(), _put(), _map_new(),
 *                _map(), _unmap(), _pages(); STORE_ALLOC_OVERHEAD
 */
#ifndef LODGE_CORE_HOST_STORE_H
#define LODGE_CORE_HOST_STORE_H

#include "guest-core/host.h"

#ifdef __KERNEL__
#include "kmod/host-store.h"
#else
#include "userland/host/host-store.h"
#endif

#endif /* LODGE_CORE_HOST_STORE_H */
