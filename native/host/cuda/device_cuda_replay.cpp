// The rounds of a replayed dispatch on an NVIDIA GPU.
#include "../replay_rounds.h"
#include "device_cuda.h"

namespace warpfs::cuda {

class CudaDevice::Rounds final : public ReplayRounds {
 public:
  Rounds(CudaDevice& device, const Dispatch& dispatch, CUfunction function) : device_(device), dispatch_(dispatch), function_(function) {
    records_.resize(device.memory_.geometry().slot_count);
    read_records();
  }

 protected:
  void begin_item(uint32_t slot) override {
    records_[slot] = new_record(records_[slot]);
    begun_ = true;
  }
  void launch(const std::vector<uint32_t>& slots, const std::vector<uint32_t>& items, bool abandon) override {
    if (begun_) copy_to_gpu(records(), records_.data(), records_.size() * sizeof(ItemRecord), "writing the items of a round");
    begun_ = false;
    const CUdeviceptr slots_at = device_.round_at_;
    const CUdeviceptr items_at = slots_at + SLOTS_MAX * sizeof(uint32_t);
    copy_to_gpu(slots_at, slots.data(), slots.size() * sizeof(uint32_t), "writing the slots of a round");
    copy_to_gpu(items_at, items.data(), items.size() * sizeof(uint32_t), "writing the items of a round");
    device_.launch(abandon ? device_.abandon_ : function_, dispatch_, uint32_t(slots.size()), reinterpret_cast<const uint32_t*>(slots_at),
                   reinterpret_cast<const uint32_t*>(items_at));
    device_.wait_for(device_.kernels_.get(), "running a kernel");
    read_records();
    if (device_.options_.serial) device_.carry_all();
  }
  bool is_done(uint32_t slot) const override { return records_[slot].status == ItemStatus::DONE; }

 private:
  CUdeviceptr records() const { return device_.memory_.table(Binding::RECORDS); }
  void read_records() { check(driver().cuMemcpyDtoH(records_.data(), records(), records_.size() * sizeof(ItemRecord)), "reading the items of a round"); }

  CudaDevice& device_;
  const Dispatch& dispatch_;
  const CUfunction function_;
  std::vector<ItemRecord> records_;
  bool begun_ = false;  // records have changed here
};

void CudaDevice::run_replay(const Dispatch& dispatch, CUfunction function, DispatchResult& result) {
  Rounds rounds(*this, dispatch, function);
  rounds.run(dispatch.items, memory_.geometry().slot_count, daemon_, options_.wait, result);
}

}  // namespace warpfs::cuda
