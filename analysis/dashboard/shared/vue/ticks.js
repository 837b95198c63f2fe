const ticks = {  // round numbers along a linear axis, and how they are written
  methods: {
    ticks(low, high, wanted) {
      const raw = (high - low) / wanted;
      const power = Math.pow(10, Math.floor(Math.log10(raw)));
      const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= raw * 0.999);
      const list = [];
      for (let value = Math.ceil(low / step - 1e-9) * step; value <= high + step * 1e-6; value += step) {
        list.push(Math.abs(value) < step * 1e-6 ? 0 : value);
      }
      return list;
    },
    plain(value) {
      return String(Number(value.toPrecision(3))).replace("-", "−");
    },
  },
};
