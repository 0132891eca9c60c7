;; What a query is to rows of codes: no row is read twice, and sums are whole numbers, so that their order is of no matter.
;; `codes` is [n, width], `query` one row, `out` n int32; n is at least 1 and width a multiple of 16 bytes.
(module
  (memory (import "kernel" "memory") 1)
  ;; Inner products of int8 rows with an int16 query. No sum leaves int32 where 127 times the query's absolute values do not.
  ;; One row of each quarter at a time: memory is read ahead in four places, which is faster than in one, and what is read of the
  ;; query serves four. Then what four does not divide, row by row.
  (func (export "int8") (param $codes i32) (param $n i32) (param $width i32) (param $query i32) (param $out i32)
    (local $q i32) (local $end i32) (local $left i32) (local $quarter i32) (local $qLow v128) (local $qHigh v128)
    (local $second i32) (local $third i32) (local $fourth i32)
    (local $low v128) (local $high v128) (local $low2 v128) (local $high2 v128)
    (local $low3 v128) (local $high3 v128) (local $low4 v128) (local $high4 v128)
    (local.set $left (i32.shr_u (local.get $n) (i32.const 2)))
    (local.set $n (i32.and (local.get $n) (i32.const 3)))
    (local.set $quarter (i32.mul (local.get $left) (local.get $width)))
    (local.set $second (i32.add (local.get $codes) (local.get $quarter)))
    (local.set $third (i32.add (local.get $second) (local.get $quarter)))
    (local.set $fourth (i32.add (local.get $third) (local.get $quarter)))
    ;; Bytes of a quarter's sums.
    (local.set $quarter (i32.shl (local.get $left) (i32.const 2)))
    (block $rest
      (br_if $rest (i32.eqz (local.get $left)))
      (loop $four
        (local.set $low (v128.const i32x4 0 0 0 0))
        (local.set $high (v128.const i32x4 0 0 0 0))
        (local.set $low2 (v128.const i32x4 0 0 0 0))
        (local.set $high2 (v128.const i32x4 0 0 0 0))
        (local.set $low3 (v128.const i32x4 0 0 0 0))
        (local.set $high3 (v128.const i32x4 0 0 0 0))
        (local.set $low4 (v128.const i32x4 0 0 0 0))
        (local.set $high4 (v128.const i32x4 0 0 0 0))
        (local.set $q (local.get $query))
        (local.set $end (i32.add (local.get $codes) (local.get $width)))
        (loop $next
          (local.set $qLow (v128.load (local.get $q)))
          (local.set $qHigh (v128.load offset=16 (local.get $q)))
          (local.set $low (i32x4.add (local.get $low)
            (i32x4.dot_i16x8_s (v128.load8x8_s (local.get $codes)) (local.get $qLow))))
          (local.set $high (i32x4.add (local.get $high)
            (i32x4.dot_i16x8_s (v128.load8x8_s offset=8 (local.get $codes)) (local.get $qHigh))))
          (local.set $codes (i32.add (local.get $codes) (i32.const 16)))
          (local.set $low2 (i32x4.add (local.get $low2)
            (i32x4.dot_i16x8_s (v128.load8x8_s (local.get $second)) (local.get $qLow))))
          (local.set $high2 (i32x4.add (local.get $high2)
            (i32x4.dot_i16x8_s (v128.load8x8_s offset=8 (local.get $second)) (local.get $qHigh))))
          (local.set $second (i32.add (local.get $second) (i32.const 16)))
          (local.set $low3 (i32x4.add (local.get $low3)
            (i32x4.dot_i16x8_s (v128.load8x8_s (local.get $third)) (local.get $qLow))))
          (local.set $high3 (i32x4.add (local.get $high3)
            (i32x4.dot_i16x8_s (v128.load8x8_s offset=8 (local.get $third)) (local.get $qHigh))))
          (local.set $third (i32.add (local.get $third) (i32.const 16)))
          (local.set $low4 (i32x4.add (local.get $low4)
            (i32x4.dot_i16x8_s (v128.load8x8_s (local.get $fourth)) (local.get $qLow))))
          (local.set $high4 (i32x4.add (local.get $high4)
            (i32x4.dot_i16x8_s (v128.load8x8_s offset=8 (local.get $fourth)) (local.get $qHigh))))
          (local.set $fourth (i32.add (local.get $fourth) (i32.const 16)))
          (local.set $q (i32.add (local.get $q) (i32.const 32)))
          (br_if $next (i32.lt_u (local.get $codes) (local.get $end))))
        (i32.store (local.get $out) (call $lanes (i32x4.add (local.get $low) (local.get $high))))
        (i32.store (i32.add (local.get $out) (local.get $quarter))
          (call $lanes (i32x4.add (local.get $low2) (local.get $high2))))
        (i32.store (i32.add (local.get $out) (i32.mul (local.get $quarter) (i32.const 2)))
          (call $lanes (i32x4.add (local.get $low3) (local.get $high3))))
        (i32.store (i32.add (local.get $out) (i32.mul (local.get $quarter) (i32.const 3)))
          (call $lanes (i32x4.add (local.get $low4) (local.get $high4))))
        (local.set $out (i32.add (local.get $out) (i32.const 4)))
        (br_if $four (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (local.set $codes (local.get $fourth))
      (local.set $out (i32.add (local.get $out) (i32.mul (local.get $quarter) (i32.const 3)))))
    (block $none
      (br_if $none (i32.eqz (local.get $n)))
      (loop $row
        (local.set $low (v128.const i32x4 0 0 0 0))
        (local.set $high (v128.const i32x4 0 0 0 0))
        (local.set $q (local.get $query))
        (local.set $end (i32.add (local.get $codes) (local.get $width)))
        (loop $next
          (local.set $low (i32x4.add (local.get $low)
            (i32x4.dot_i16x8_s (v128.load8x8_s (local.get $codes)) (v128.load (local.get $q)))))
          (local.set $high (i32x4.add (local.get $high)
            (i32x4.dot_i16x8_s (v128.load8x8_s offset=8 (local.get $codes)) (v128.load offset=16 (local.get $q)))))
          (local.set $q (i32.add (local.get $q) (i32.const 32)))
          (local.set $codes (i32.add (local.get $codes) (i32.const 16)))
          (br_if $next (i32.lt_u (local.get $codes) (local.get $end))))
        (i32.store (local.get $out) (call $lanes (i32x4.add (local.get $low) (local.get $high))))
        (local.set $out (i32.add (local.get $out) (i32.const 4)))
        (br_if $row (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))

  (func $lanes (param $sums v128) (result i32)
    (i32.add
      (i32.add (i32x4.extract_lane 0 (local.get $sums)) (i32x4.extract_lane 1 (local.get $sums)))
      (i32.add (i32x4.extract_lane 2 (local.get $sums)) (i32x4.extract_lane 3 (local.get $sums)))))

  ;; Bits in which rows differ from the query.
  (func (export "binary") (param $codes i32) (param $n i32) (param $width i32) (param $query i32) (param $out i32)
    (local $q i32) (local $end i32) (local $sum v128)
    (loop $row
      (local.set $sum (v128.const i32x4 0 0 0 0))
      (local.set $q (local.get $query))
      (local.set $end (i32.add (local.get $codes) (local.get $width)))
      (loop $next
        (local.set $sum (i32x4.add (local.get $sum)
          (i32x4.extadd_pairwise_i16x8_u (i16x8.extadd_pairwise_i8x16_u
            (i8x16.popcnt (v128.xor (v128.load (local.get $codes)) (v128.load (local.get $q))))))))
        (local.set $q (i32.add (local.get $q) (i32.const 16)))
        (local.set $codes (i32.add (local.get $codes) (i32.const 16)))
        (br_if $next (i32.lt_u (local.get $codes) (local.get $end))))
      (i32.store (local.get $out) (i32.add
        (i32.add (i32x4.extract_lane 0 (local.get $sum)) (i32x4.extract_lane 1 (local.get $sum)))
        (i32.add (i32x4.extract_lane 2 (local.get $sum)) (i32x4.extract_lane 3 (local.get $sum)))))
      (local.set $out (i32.add (local.get $out) (i32.const 4)))
      (br_if $row (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))

  ;; Inner products of float32 rows with one float64 query, each summed in float64 in the one order; two rows at a time, which
  ;; keeps more of a core at work. `list` holds where 2 `pairs` rows begin; n numbers of each are taken, a multiple of 4, at least 4.
  (func (export "products") (param $list i32) (param $pairs i32) (param $n i32) (param $query i32) (param $out i32)
    (local $row i32) (local $other i32) (local $q i32) (local $end i32) (local $low v128) (local $high v128)
    (local $even v128) (local $odd v128) (local $even2 v128) (local $odd2 v128)
    (loop $pair
      (local.set $row (i32.load (local.get $list)))
      (local.set $other (i32.load offset=4 (local.get $list)))
      (local.set $even (v128.const i64x2 0 0))
      (local.set $odd (v128.const i64x2 0 0))
      (local.set $even2 (v128.const i64x2 0 0))
      (local.set $odd2 (v128.const i64x2 0 0))
      (local.set $q (local.get $query))
      (local.set $end (i32.add (local.get $query) (i32.shl (local.get $n) (i32.const 3))))
      (loop $next
        (local.set $low (v128.load (local.get $q)))
        (local.set $high (v128.load offset=16 (local.get $q)))
        (local.set $even (f64x2.add (local.get $even) (f64x2.mul
          (f64x2.promote_low_f32x4 (v128.load64_zero (local.get $row))) (local.get $low))))
        (local.set $odd (f64x2.add (local.get $odd) (f64x2.mul
          (f64x2.promote_low_f32x4 (v128.load64_zero offset=8 (local.get $row))) (local.get $high))))
        (local.set $even2 (f64x2.add (local.get $even2) (f64x2.mul
          (f64x2.promote_low_f32x4 (v128.load64_zero (local.get $other))) (local.get $low))))
        (local.set $odd2 (f64x2.add (local.get $odd2) (f64x2.mul
          (f64x2.promote_low_f32x4 (v128.load64_zero offset=8 (local.get $other))) (local.get $high))))
        (local.set $row (i32.add (local.get $row) (i32.const 16)))
        (local.set $other (i32.add (local.get $other) (i32.const 16)))
        (local.set $q (i32.add (local.get $q) (i32.const 32)))
        (br_if $next (i32.lt_u (local.get $q) (local.get $end))))
      (f64.store (local.get $out) (call $both (f64x2.add (local.get $even) (local.get $odd))))
      (f64.store offset=8 (local.get $out) (call $both (f64x2.add (local.get $even2) (local.get $odd2))))
      (local.set $list (i32.add (local.get $list) (i32.const 8)))
      (local.set $out (i32.add (local.get $out) (i32.const 16)))
      (br_if $pair (local.tee $pairs (i32.sub (local.get $pairs) (i32.const 1))))))

  (func $both (param $sums v128) (result f64)
    (f64.add (f64x2.extract_lane 0 (local.get $sums)) (f64x2.extract_lane 1 (local.get $sums)))))
