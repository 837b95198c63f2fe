const drafts = {  // numbers by slider or keyboard that are ahead of what the program sent back
  data() {
    return { drafts: {}, timer: null, typing: false };
  },
  watch: {
    payload() {
      if (this.timer === null && !this.typing) {  // else a slider or a keyboard is ahead of what came back
        this.drafts = {};
      }
    },
  },
  beforeDestroy() {
    clearTimeout(this.timer);
  },
  beforeUnmount() {
    clearTimeout(this.timer);
  },
  methods: {
    now(field) {
      return field.key in this.drafts ? this.drafts[field.key] : field.value;
    },
    type(field, value) {
      this.typing = true;
      this.drafts = Object.assign({}, this.drafts, { [field.key]: value });
    },
    left() {
      if (this.typing) {  // nothing was changed
        this.typing = false;
        this.drafts = {};
      }
    },
    send(field, value) {
      this.rest();
      this.typing = false;
      this.choose({ key: field.key, value: String(value) });
    },
    rest() {
      clearTimeout(this.timer);
      this.timer = null;
    },
  },
};
