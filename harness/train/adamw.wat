;; One AdamW update of n elements, four at a time, in the order of operations of `update` in adamw.ts: both leave the same bits.
;; Memory: parameter, gradient, first moment, second moment, of n floats each, one after another; n is a multiple of 4.
(module
  (memory (import "kernel" "memory") 1)
  (func (export "update")
    (param $n i32)
    (param $beta1 f32) (param $firstShare f32) (param $beta2 f32) (param $secondShare f32)
    (param $correction f32) (param $epsilon f32) (param $rate f32) (param $kept f32)
    (local $at i32) (local $end i32) (local $first i32) (local $second i32)
    (local $g v128) (local $m v128) (local $v v128)
    (local.set $end (i32.shl (local.get $n) (i32.const 2)))
    (local.set $first (i32.shl (local.get $n) (i32.const 3)))
    (local.set $second (i32.add (local.get $first) (local.get $end)))
    (loop $next
      (local.set $g (v128.load (i32.add (local.get $end) (local.get $at))))
      ;; m = m beta1 + g firstShare
      (local.set $m (f32x4.add
        (f32x4.mul (v128.load (i32.add (local.get $first) (local.get $at))) (f32x4.splat (local.get $beta1)))
        (f32x4.mul (local.get $g) (f32x4.splat (local.get $firstShare)))))
      (v128.store (i32.add (local.get $first) (local.get $at)) (local.get $m))
      ;; v = v beta2 + g^2 secondShare
      (local.set $v (f32x4.add
        (f32x4.mul (v128.load (i32.add (local.get $second) (local.get $at))) (f32x4.splat (local.get $beta2)))
        (f32x4.mul (f32x4.mul (local.get $g) (local.get $g)) (f32x4.splat (local.get $secondShare)))))
      (v128.store (i32.add (local.get $second) (local.get $at)) (local.get $v))
      ;; p = p kept - m / (sqrt(v) correction + epsilon) rate
      (v128.store (local.get $at) (f32x4.sub
        (f32x4.mul (v128.load (local.get $at)) (f32x4.splat (local.get $kept)))
        (f32x4.mul
          (f32x4.div
            (local.get $m)
            (f32x4.add
              (f32x4.mul (f32x4.sqrt (local.get $v)) (f32x4.splat (local.get $correction)))
              (f32x4.splat (local.get $epsilon))))
          (f32x4.splat (local.get $rate)))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end))))))
