const measured = {  // keeps `width` at the width of the element that the template calls `box`
  mounted() {
    this.watcher = new ResizeObserver(() => this.measure());
    this.watcher.observe(this.$refs.box);
    this.measure();
  },
  beforeDestroy() {
    this.watcher.disconnect();
  },
  beforeUnmount() {
    this.watcher.disconnect();
  },
  methods: {
    measure() {
      const size = Math.floor(this.$refs.box.clientWidth);
      if (size > 0 && size !== this.width) {
        this.width = size;
      }
    },
  },
};
