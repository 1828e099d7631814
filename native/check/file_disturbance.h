// What other programs may do to a file while the mount has it open.
#pragma once

namespace warpfs {

/// Cuts the file that lies at the path of this descriptor to a third of its size.
void truncate_to_a_third(int fd);

/// Puts a new file of the same size in its place, with every byte inverted. The descriptor goes on naming the old one.
void replace_by_another(int fd);

}  // namespace warpfs
