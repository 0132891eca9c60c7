/** What ModernBERT's config.json says, in the forms that transformers 4 and 5 write. */
import { activationNames, activations } from './activations.js';
import { ConfigFields, type ModelConfig } from './fields.js';

const layerTypes = ['full_attention', 'sliding_attention'] as const;
/** The bases of the rotary frequencies where the file is silent. */
const usualTheta = { full_attention: 160_000, sliding_attention: 10_000 } as const;
/** Where transformers 4 wrote them. */
const oldTheta = { full_attention: 'global_rope_theta', sliding_attention: 'local_rope_theta' } as const;

export type ModernBertFacts = ReturnType<typeof modernBertFacts>;

/** @throws BenchError CHECKPOINT_INVALID that lists every value that cannot be used */
export function modernBertFacts(config: ModelConfig) {
  const fields = new ConfigFields(config);
  fields.refuseDecoder();
  const layers = fields.layers('num_hidden_layers');
  const facts = {
    layers,
    dimensions: fields.count('hidden_size'),
    heads: fields.count('num_attention_heads'),
    intermediate: fields.count('intermediate_size'),
    vocabularySize: fields.count('vocab_size'),
    paddingId: fields.count('pad_token_id', 50283, 0),
    maxTokens: fields.count('max_position_embeddings', 8192),
    epsilon: fields.epsilon('norm_eps', 1e-5),
    embeddingRate: fields.rate('embedding_dropout', 0),
    attentionRate: fields.rate('attention_dropout', 0),
    mlpRate: fields.rate('mlp_dropout', 0),
    activate: activations[fields.word('hidden_activation', activationNames, 'gelu')],
    hasBias: {
      norm: fields.flag('norm_bias', false),
      attention: fields.flag('attention_bias', false),
      mlp: fields.flag('mlp_bias', false),
    },
    /** By layer: whether a token sees its neighbours alone. */
    isLocal: localLayers(config, fields, layers),
    /** How far away the furthest of these is. */
    window: Math.floor(fields.count('local_attention', 128) / 2),
    globalTheta: theta(config, fields, 'full_attention'),
    localTheta: theta(config, fields, 'sliding_attention'),
  };
  const { dimensions, heads } = facts;
  fields.divides('num_attention_heads', heads, 'hidden_size', dimensions);
  if ((dimensions / heads) % 2 !== 0)
    fields.problem(`hidden_size ${dimensions} over num_attention_heads ${heads} is not even`);
  fields.isToken('pad_token_id', facts.paddingId, facts.vocabularySize);
  fields.check('ModernBERT');
  return facts;
}

/** Of its head, for classification and of its masked language model. @throws BenchError CHECKPOINT_INVALID that lists every value that cannot be used */
export function modernBertHead(config: ModelConfig) {
  const fields = new ConfigFields(config);
  const head = {
    activate: activations[fields.word('classifier_activation', activationNames, 'gelu')],
    hasBias: { dense: fields.flag('classifier_bias', false), decoder: fields.flag('decoder_bias', true) },
    pooling: fields.word('classifier_pooling', ['cls', 'mean'], 'cls'),
  };
  fields.check('ModernBERT');
  return head;
}

function localLayers(config: ModelConfig, fields: ConfigFields, layers: number): boolean[] {
  const { layer_types: listed } = config;
  if (listed === undefined || listed === null) {
    const every = fields.count('global_attn_every_n_layers', 3);
    return Array.from({ length: layers }, (_, l) => l % every !== 0);
  }
  const known = layerTypes as readonly unknown[];
  if (Array.isArray(listed) && listed.length === layers && listed.every((type) => known.includes(type)))
    return listed.map((type) => type === 'sliding_attention');
  fields.problem(
    `layer_types is ${JSON.stringify(listed).slice(0, 100)} and must name ${layerTypes.join(' or ')} for each of ${layers} layers`,
  );
  return [];
}

function theta(config: ModelConfig, fields: ConfigFields, type: (typeof layerTypes)[number]): number {
  const { rope_parameters: all, rope_scaling: scaling } = config;
  if (scaling !== undefined && scaling !== null && type === 'full_attention')
    fields.problem('rope_scaling is there, and rotary positions are not scaled');
  const own = (all as Readonly<Record<string, unknown>> | null | undefined)?.[type];
  if (own === undefined || own === null) return fields.number(oldTheta[type], usualTheta[type], 1);
  const { rope_type: kind = 'default', rope_theta: base = usualTheta[type] } = own as Record<string, unknown>;
  if (kind !== 'default')
    fields.problem(`rope_parameters.${type}.rope_type is ${JSON.stringify(kind)}; supported: default`);
  if (typeof base === 'number' && base >= 1 && Number.isFinite(base)) return base;
  fields.problem(
    `rope_parameters.${type}.rope_theta is ${JSON.stringify(base)} and must be a number of at least 1`,
  );
  return usualTheta[type];
}
