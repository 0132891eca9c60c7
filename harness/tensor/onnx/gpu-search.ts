/** Whether there can be a GPU here, seen from files alone: where there is none, nothing is started to find that out. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';

/** Drivers that compute on the processor, slower than the processor itself: by name in Vulkan's descriptions of drivers. */
const software = /swiftshader|lvp|lavapipe|llvmpipe|mock/i;
/** For Vulkan's loader, which then leaves them out. */
const softwareGlobs = '*swiftshader*,*lvp*,*mock*';

const list = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

/** Descriptions of Vulkan drivers, as its loader finds them on Linux. */
function drivers(): string[] {
  const named = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES;
  if (named !== undefined) return named.split(':').filter((file) => existsSync(file));
  return ['/etc', '/usr/share', '/usr/local/share'].flatMap((root) => {
    const folder = path.join(root, 'vulkan', 'icd.d');
    return list(folder).map((name) => path.join(folder, name));
  });
}

const libraryFolders = (): string[] => [
  ...(process.env.LD_LIBRARY_PATH ?? '').split(':').filter((folder) => folder !== ''),
  ...['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib', '/usr/local/lib'],
];

export const hasVulkanLoader = (): boolean =>
  libraryFolders().some((folder) => existsSync(path.join(folder, 'libvulkan.so.1')));

/** What the kernel shows of a GPU: a card's own, NVIDIA's, and Windows' through WSL. */
const hasGpuFile = (root: string): boolean =>
  list(path.join(root, 'dev/dri')).some((name) => name.startsWith('renderD')) ||
  existsSync(path.join(root, 'dev/nvidiactl')) ||
  existsSync(path.join(root, 'dev/dxg'));

/**
 * Whether WebGPU may have a GPU to compute on, and is worth a trial when nobody asked for it by name.
 * @param root of the files, another one for tests
 */
export function mayHaveGpu(platform: NodeJS.Platform = process.platform, root = '/'): boolean {
  if (platform === 'darwin') return true;
  // On Windows a software driver cannot be told from a GPU.
  if (platform !== 'linux') return false;
  return (
    hasGpuFile(root) && hasVulkanLoader() && drivers().some((file) => !software.test(path.basename(file)))
  );
}

/** Keeps Vulkan's loader from the drivers that compute on the processor, in this process and those it starts. */
export function leaveSoftwareOut(): void {
  const before = process.env.VK_LOADER_DRIVERS_DISABLE;
  if (before?.includes(softwareGlobs)) return;
  process.env.VK_LOADER_DRIVERS_DISABLE = before === undefined ? softwareGlobs : `${before},${softwareGlobs}`;
}

/**
 * The GPU in words, as far as this machine says: ONNX Runtime does not tell which it took.
 * @param device on CUDA it is NVIDIA's, whatever drivers Vulkan has
 * @param root as above
 */
export function describeGpu(device: 'webgpu' | 'cuda' = 'webgpu', root = '/'): string | undefined {
  if (process.platform === 'darwin') return cpus()[0]?.model;
  return device === 'cuda' ? nvidiaGpu(root) : (softwareGpu() ?? nvidiaGpu(root) ?? cardsOf(root));
}

function softwareGpu(): string | undefined {
  const soft = drivers().filter((file) => software.test(path.basename(file)));
  if (soft.length === 0 || soft.length < drivers().length) return undefined;
  return `software: ${soft.map((file) => path.basename(file)).join(', ')}`;
}

function nvidiaGpu(root: string): string | undefined {
  const driver = path.join(root, 'proc/driver/nvidia');
  const nvidia = list(path.join(driver, 'gpus')).flatMap((gpu) => {
    const text = readText(path.join(driver, 'gpus', gpu, 'information'));
    return /^Model:\s*(.+)$/m.exec(text)?.[1] ?? [];
  });
  // `Kernel Module  535.54.03`, and `Kernel Module for x86_64  580.159.04` of the open one.
  const version = /Kernel Module.*?\s(\d+\.[\d.]+)/.exec(readText(path.join(driver, 'version')))?.[1];
  if (nvidia.length === 0) return undefined;
  return `${nvidia.join(', ')}${version === undefined ? '' : `, driver ${version}`}`;
}

/** The numbers of each. */
function cardsOf(root: string): string | undefined {
  const cards = cardNumbers(root).map(({ vendor, device }) => `vendor ${vendor}, device ${device}`);
  return cards.length > 0 ? cards.join('; ') : undefined;
}

function cardNumbers(root: string): { vendor: string; device: string }[] {
  const drm = path.join(root, 'sys/class/drm');
  const cards = list(drm).filter((name) => name.startsWith('renderD'));
  return cards.map((name) => {
    const of = (file: string) => readText(path.join(drm, name, 'device', file)).trim();
    return { vendor: of('vendor'), device: of('device') };
  });
}

const nvidiaVendor = '0x10de';

/** Whether a card that is not NVIDIA's is there, which WebGPU may take instead. @param root as above */
export const hasOtherMaker = (root: string): boolean =>
  cardNumbers(root).some(({ vendor }) => vendor !== nvidiaVendor);

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
