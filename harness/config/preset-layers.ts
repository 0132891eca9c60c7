/** Presets, laid on the defaults one on the other. */
import { type Preset, presets } from '../presets.js';
import type { BenchConfig, TrainConfig } from './bench-config.js';

/** What decides which settings of a preset count. */
export interface PresetContext {
  /** `dpr/trivia`; undefined where a command takes none. */
  dataset?: string | undefined;
  stages: 1 | 2;
}

/** @param names of presets that there are, the later above the earlier */
export function withPresets(
  base: BenchConfig,
  names: readonly string[],
  context: PresetContext,
): BenchConfig {
  return names.reduce((config, name) => withPreset(config, presets[name]!, context), base);
}

function withPreset(base: BenchConfig, { settings, on = {}, second }: Preset, context: PresetContext) {
  const { dataset, stages } = context;
  const own = Object.keys(on).filter((name) => dataset === name || dataset?.startsWith(`${name}/`));
  const config = [settings, ...own.map((name) => on[name])].reduce<BenchConfig>(merge, base);
  return second === true && stages === 1 ? { ...config, train: secondTraining(config) } : config;
}

/** What the second of two trainings does; what `stage2.*` leaves open follows from the first. */
export function secondTraining({ train, stage2 }: Pick<BenchConfig, 'train' | 'stage2'>): TrainConfig {
  return {
    ...train,
    epochs: stage2.epochs ?? Math.ceil(train.epochs / 2),
    learningRate: stage2.learningRate ?? train.learningRate,
    averageRankFrom: stage2.averageRankFrom ?? train.averageRankFrom,
    negativePool: stage2.negativePool,
  };
}

/** Sections are merged key by key; anything else, lists included, is replaced. */
export function merge<T>(base: T, over: unknown): T {
  if (!isSection(base) || !isSection(over)) return structuredClone(over) as T;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    merged[key] = merge(merged[key], value);
  }
  return merged as T;
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
