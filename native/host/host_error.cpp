#include "host_error.h"

#include "abi_host.h"

#include <cerrno>

namespace warpfs {

int32_t failure(int host_errno) {
  switch (host_errno) {
    case EPERM: return -Errno::eperm;
    case ENOENT: return -Errno::enoent;
    case EINTR: return -Errno::eintr;
    case EBADF: return -Errno::ebadf;
    case EAGAIN: return -Errno::eagain;
    case ENOMEM: return -Errno::enomem;
    case EACCES: return -Errno::eacces;
    case EBUSY: return -Errno::ebusy;
    case ETXTBSY: return -Errno::eacces;  // a program that is running may not be written
    case EEXIST: return -Errno::eexist;
    case EXDEV: return -Errno::exdev;
    case ENOTDIR: return -Errno::enotdir;
    case EISDIR: return -Errno::eisdir;
    case EINVAL: return -Errno::einval;
    case ENFILE: return -Errno::enfile;
    case EMFILE: return -Errno::enfile;
    case EFBIG: return -Errno::efbig;
    case ENOSPC: return -Errno::enospc;
    case EDQUOT: return -Errno::edquot;
    case EROFS: return -Errno::erofs;
    case ERANGE: return -Errno::erange;
    case ENOTEMPTY: return -Errno::enotempty;
    case ENAMETOOLONG: return -Errno::enametoolong;
    case ENOSYS: return -Errno::enosys;
    case ELOOP: return -Errno::eloop;
    case EOVERFLOW: return -Errno::eoverflow;
    case EOPNOTSUPP: return -Errno::eopnotsupp;
    case ESTALE: return -Errno::estale;
    case ENXIO: return -Errno::eopnotsupp;  // a device or a FIFO without its other end
    case ENODEV: return -Errno::eopnotsupp;
    case ETIMEDOUT: return -Errno::etimedout;
    case ECANCELED: return -Errno::ecanceled;
    default: return -Errno::eio;
  }
}

const char* error_name(int32_t abi_error) {
  switch (abi_error < 0 ? -abi_error : abi_error) {
    case Errno::eperm: return "EPERM";
    case Errno::enoent: return "ENOENT";
    case Errno::eintr: return "EINTR";
    case Errno::ebadf: return "EBADF";
    case Errno::eagain: return "EAGAIN";
    case Errno::enomem: return "ENOMEM";
    case Errno::eacces: return "EACCES";
    case Errno::ebusy: return "EBUSY";
    case Errno::eexist: return "EEXIST";
    case Errno::exdev: return "EXDEV";
    case Errno::eisdir: return "EISDIR";
    case Errno::enotdir: return "ENOTDIR";
    case Errno::einval: return "EINVAL";
    case Errno::enfile: return "ENFILE";
    case Errno::efbig: return "EFBIG";
    case Errno::enospc: return "ENOSPC";
    case Errno::erofs: return "EROFS";
    case Errno::erange: return "ERANGE";
    case Errno::enotempty: return "ENOTEMPTY";
    case Errno::enametoolong: return "ENAMETOOLONG";
    case Errno::enosys: return "ENOSYS";
    case Errno::eloop: return "ELOOP";
    case Errno::eoverflow: return "EOVERFLOW";
    case Errno::eopnotsupp: return "EOPNOTSUPP";
    case Errno::estale: return "ESTALE";
    case Errno::edquot: return "EDQUOT";
    case Errno::etimedout: return "ETIMEDOUT";
    case Errno::ecanceled: return "ECANCELED";
    default: return "EIO";
  }
}

}  // namespace warpfs
