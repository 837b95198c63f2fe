const pointed = {  // keeps `slot` at the hour that is pointed at on any chart of the page
  mounted() {
    this.listener = (event) => { this.slot = event.detail; };
    window.addEventListener("meanwatt-slot", this.listener);
  },
  beforeDestroy() {
    window.removeEventListener("meanwatt-slot", this.listener);
  },
  beforeUnmount() {
    window.removeEventListener("meanwatt-slot", this.listener);
  },
};
