// FAISS for Node.js, as far as a search on a GPU needs it: an index is read from a file, copied to a device, and searched with
// typed arrays. Whatever C++ throws is thrown in JavaScript. Compiled by build-faiss.mjs against the system's FAISS; where
// that was built without CUDA all but the calls to a GPU is there.
#include <faiss/Index.h>
#include <faiss/index_io.h>
#include <napi.h>

#include <cmath>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

// faiss-device.mjs says which, by the headers it finds.
#ifndef WITH_GPU
#error "WITH_GPU is not defined: compile this by npm run build:faiss"
#endif
#if WITH_GPU
#include <faiss/gpu/GpuCloner.h>
#include <faiss/gpu/StandardGpuResources.h>
#include <faiss/gpu/utils/DeviceUtils.h>
#endif

namespace {

/** Runs what may throw anything, and throws an Error in JavaScript instead. */
template <typename Work>
auto caught(Napi::Env env, Work work) -> decltype(work()) {
  try {
    return work();
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Napi::Error::New(env, error.what());
  } catch (...) {
    throw Napi::Error::New(env, "FAISS threw something that is no exception");
  }
}

int devices() {
#if WITH_GPU
  return faiss::gpu::getNumDevices();
#else
  return 0;
#endif
}

#if WITH_GPU
/**
 * One for all indexes there are, freed after the last: each takes memory of its own to work in, by default up to 1.5 GiB of the
 * GPU and 256 MiB of pinned memory. Not for searches in several threads at once.
 * @param temporaryBytes of the GPU, where it is made
 */
std::shared_ptr<faiss::gpu::StandardGpuResources> sharedResources(size_t temporaryBytes) {
  static std::mutex mutex;
  static std::weak_ptr<faiss::gpu::StandardGpuResources> shared;
  const std::lock_guard<std::mutex> lock(mutex);
  auto resources = shared.lock();
  if (!resources) {
    resources = std::make_shared<faiss::gpu::StandardGpuResources>();
    resources->setTempMemory(temporaryBytes);
    shared = resources;
  }
  return resources;
}
#endif

class Index : public Napi::ObjectWrap<Index> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Index",
                       {InstanceMethod("toDevice", &Index::toDevice), InstanceMethod("search", &Index::search),
                        InstanceMethod("dispose", &Index::dispose), InstanceAccessor("rows", &Index::rows, nullptr),
                        InstanceAccessor("dimensions", &Index::dimensions, nullptr)});
  }

  /** new Index(file) */
  explicit Index(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Index>(info) {
    Napi::Env env = info.Env();
    if (info.Length() != 1 || !info[0].IsString()) throw Napi::TypeError::New(env, "new Index(file: string)");
    const std::string file = info[0].As<Napi::String>();
    caught(env, [&] { index_.reset(faiss::read_index(file.c_str())); });
  }

 private:
  /** toDevice(number, bytes that searches may work in): from then on the index lies there, and nowhere else. */
  Napi::Value toDevice(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    if (info.Length() != 2 || !info[0].IsNumber() || !info[1].IsNumber())
      throw Napi::TypeError::New(env, "toDevice(device: number, temporaryBytes: number)");
    const int device = info[0].As<Napi::Number>().Int32Value();
    const double temporary = info[1].As<Napi::Number>().DoubleValue();
    if (!(temporary >= 0 && temporary <= 9007199254740991)) throw Napi::RangeError::New(env, "temporaryBytes is no size");
    caught(env, [&] {
      held(env);
#if WITH_GPU
      if (device < 0 || device >= devices()) throw Napi::RangeError::New(env, "there is no such device");
      auto resources = sharedResources(static_cast<size_t>(temporary));
      std::unique_ptr<faiss::Index> there(faiss::gpu::index_cpu_to_gpu(resources.get(), device, index_.get()));
      index_ = std::move(there);
      resources_ = std::move(resources);
#else
      (void)device;
      throw Napi::Error::New(env, "this FAISS was built without CUDA");
#endif
    });
    return env.Undefined();
  }

  /** search(queries: Float32Array [n * D], k) -> { scores: Float32Array [n * k], rows: Float64Array [n * k], -1 for none } */
  Napi::Value search(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    const bool taken = info.Length() == 2 && info[0].IsTypedArray() && info[1].IsNumber() &&
                       info[0].As<Napi::TypedArray>().TypedArrayType() == napi_float32_array;
    if (!taken) throw Napi::TypeError::New(env, "search(queries: Float32Array, k: number)");
    faiss::Index& index = held(env);
    const auto queries = info[0].As<Napi::Float32Array>();
    const double asked = info[1].As<Napi::Number>().DoubleValue();
    const size_t width = static_cast<size_t>(index.d);
    if (queries.ElementLength() % width != 0)
      throw Napi::RangeError::New(env, std::to_string(queries.ElementLength()) + " numbers are no queries of " +
                                           std::to_string(width));
    if (!(asked >= 1 && asked <= 2147483647 && std::floor(asked) == asked))
      throw Napi::RangeError::New(env, "k is a whole number from 1");
    const size_t count = queries.ElementLength() / width;
    const size_t size = count * static_cast<size_t>(asked);
    auto scores = Napi::Float32Array::New(env, size);
    auto rows = Napi::Float64Array::New(env, size);
    caught(env, [&] {
      std::vector<int64_t> labels(size);
      if (count > 0)
        index.search(static_cast<int64_t>(count), queries.Data(), static_cast<int64_t>(asked), scores.Data(),
                     labels.data());
      for (size_t i = 0; i < size; i++) rows[i] = static_cast<double>(labels[i]);
    });
    Napi::Object found = Napi::Object::New(env);
    found["scores"] = scores;
    found["rows"] = rows;
    return found;
  }

  Napi::Value dispose(const Napi::CallbackInfo& info) {
    index_.reset();
#if WITH_GPU
    resources_.reset();
#endif
    return info.Env().Undefined();
  }

  Napi::Value rows(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(held(info.Env()).ntotal));
  }

  Napi::Value dimensions(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(held(info.Env()).d));
  }

  faiss::Index& held(Napi::Env env) {
    if (!index_) throw Napi::Error::New(env, "the index was disposed of");
    return *index_;
  }

#if WITH_GPU
  // Before the index, which is freed first.
  std::shared_ptr<faiss::gpu::StandardGpuResources> resources_;
#endif
  std::unique_ptr<faiss::Index> index_;
};

Napi::Object start(Napi::Env env, Napi::Object exports) {
  exports["Index"] = Index::define(env);
  exports["version"] = std::to_string(FAISS_VERSION_MAJOR) + "." + std::to_string(FAISS_VERSION_MINOR) + "." +
                       std::to_string(FAISS_VERSION_PATCH);
  exports["withGpu"] = Napi::Boolean::New(env, WITH_GPU == 1);
  exports["devices"] = Napi::Function::New(env, [](const Napi::CallbackInfo& info) -> Napi::Value {
    Napi::Env env = info.Env();
    return Napi::Number::New(env, caught(env, [] { return devices(); }));
  });
  return exports;
}

}  // namespace

NODE_API_MODULE(strata_faiss, start)
