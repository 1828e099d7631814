#include "msl_module.h"

#include "msl_text.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <fstream>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

namespace warpfs::metal_fake {

namespace {

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) throw MslError("cannot write " + path);
}

/// Runs a compiler in the folder of its text. Throws what it complains of.
void run_compiler(const std::vector<std::string>& command, const std::string& complaints) {
  const pid_t child = fork();
  if (child == 0) {
    if (std::freopen(complaints.c_str(), "w", stderr) == nullptr) _exit(126);
    std::vector<char*> words;
    for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    execvp(words[0], words.data());
    _exit(127);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) throw MslError("cannot start " + command[0]);
  if (status == 0) return;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127) throw MslError("there is no " + command[0]);
  throw MslError(read_file(complaints));
}

std::string new_stem(const std::string& folder) {
  static std::atomic<uint32_t> count{0};
  return folder + "/msl-" + std::to_string(getpid()) + "-" + std::to_string(count++);
}

/// Of 64 bits: FNV-1a.
std::string hash_of(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const unsigned char c : text) hash = (hash ^ c) * 0x100000001b3u;
  return std::to_string(hash);
}

void* loaded(const std::string& module) {
  // Never unloaded: the system gives the thread-local words of a module back to nobody, and has few. Loaded again, it is the same.
  void* handle = dlopen(module.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) throw MslError(std::string("cannot load what was compiled: ") + dlerror());
  return handle;
}

/// What the compiler makes of a text depends on it and on the stand-ins that it includes: that is compiled once.
std::string key_of(const std::string& text, const MslOptions& options) {
  std::string all = text + options.clang + options.optimize;
  for (const std::string& definition : options.definitions) all += "\n" + definition;
  for (const char* header : {"/../metal_fake/include/metal_stdlib", "/../metal_fake/include/msl_ids.h", "/dialect/cpu.h", "/dialect/cpu_warp.h", "/dialect/cpu_calls.h"}) {
    const std::string given = read_file(options.shaders + header);
    if (given.empty()) throw MslError("cannot read " + options.shaders + header);
    all += given;
  }
  return hash_of(all);
}

void compile(const std::string& text, const MslOptions& options, const std::string& module) {
  const std::string stem = new_stem(options.folder);
  const std::string complaints = stem + ".txt", given = stem + ".metal", preprocessed = stem + ".ii", translated = stem + ".cpp", built = stem + ".so";
  write_file(given, "#line 1 \"program_source\"\n" + text);
  std::vector<std::string> preprocess = {options.clang, "-x", "c++", "-std=c++20", "-E", "-Dkernel=MSL_KERNEL", "-D__METAL_VERSION__=320",
                                         "-I", options.shaders + "/../metal_fake/include", "-I", options.shaders};
  for (const std::string& definition : options.definitions) preprocess.push_back("-D" + definition);
  preprocess.insert(preprocess.end(), {"-o", preprocessed, given});
  run_compiler(preprocess, complaints);
  write_file(translated, with_entries(read_file(preprocessed)));
  run_compiler({options.clang, "-x", "c++", "-std=c++20", options.optimize, "-w", "-fno-strict-aliasing", "-fno-exceptions", "-fno-rtti", "-fvisibility=hidden", "-fPIC",
                "-shared", "-DMSL_KERNEL=static", "-o", built, translated}, complaints);
  // Another process may have been faster: theirs is the same.
  std::rename(built.c_str(), module.c_str());
  for (const std::string& file : {complaints, given, preprocessed, translated}) std::remove(file.c_str());
}

void* compiled(const std::string& text, const std::string& key, const MslOptions& options) {
  const std::string module = options.folder + "/" + key + ".so";
  if (access(module.c_str(), R_OK) != 0) compile(text, options, module);
  return loaded(module);
}

struct Running {
  msl::Entry entry;
  const MslDispatch& dispatch;
};

void lane_body(Lane& lane, const WarpId& id, void* argument) {
  const Running& running = *static_cast<const Running*>(argument);
  const uint32_t simdgroups = running.dispatch.simdgroups;
  msl::Ids ids;
  ids.threadgroup_position_in_grid = id.item / simdgroups;
  ids.threadgroups_per_grid = running.dispatch.threadgroups;
  ids.simdgroup_index_in_threadgroup = id.item % simdgroups;
  ids.simdgroups_per_threadgroup = simdgroups;
  ids.thread_index_in_simdgroup = lane.index;
  ids.threads_per_simdgroup = lane.count;
  ids.thread_index_in_threadgroup = ids.simdgroup_index_in_threadgroup * lane.count + lane.index;
  ids.thread_position_in_grid = id.item * lane.count + lane.index;
  running.entry(&lane, running.dispatch.buffers.data(), lane.warp->group_memory, ids);
}

}  // namespace

MslModule::MslModule(const std::string& text, const MslOptions& options) : key_(key_of(text, options)), handle_(compiled(text, key_, options)) {}

MslModule::~MslModule() { dlclose(handle_); }

std::shared_ptr<MslModule> compile_or_say(const std::string& text, const MslOptions& options, std::string& wrong) noexcept {
  try {
    return std::make_shared<MslModule>(text, options);
  } catch (const std::exception& error) {
    wrong = error.what();
    return nullptr;
  }
}

msl::Entry MslModule::entry(const std::string& kernel) const { return reinterpret_cast<msl::Entry>(dlsym(handle_, ("msl_entry_" + kernel).c_str())); }

void MslModule::run(CpuExecutor& executor, msl::Entry entry, const MslDispatch& dispatch) const {
  Running running = {entry, dispatch};
  LaunchShape shape;
  shape.items = dispatch.threadgroups * dispatch.simdgroups;
  shape.group_warps = dispatch.simdgroups;
  shape.group_memory_bytes = dispatch.group_memory_bytes;
  auto* const steps_left = static_cast<int64_t*>(dlsym(handle_, "msl_steps_left"));
  *steps_left = dispatch.steps;
  executor.launch(shape, lane_body, &running, reinterpret_cast<WarpAttach>(dlsym(handle_, "warpfs_attach")));
  *steps_left = -1;
}

}  // namespace warpfs::metal_fake
